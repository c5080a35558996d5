"""Events in, rows out, and back. Never imports torch, timm, Qt or the core."""
