"""The window: shows events, sends commands. Never imports torch, SQL, the core or the log."""
