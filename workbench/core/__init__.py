"""Pictures and tensors in, events out. Never imports Qt, SQL, the log, the session or the face.

Modules that need torch import it themselves; this package imports nothing, so that a folder
scan in the window's process does not load torch.
"""
