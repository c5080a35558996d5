"""NTK-CL workbench: parameter-efficient continual learning on a desktop. Imports nothing."""

__version__ = "0.1.0"
