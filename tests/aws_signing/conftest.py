"""What stands for AWS is made of the same server as elsewhere."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "process"))
