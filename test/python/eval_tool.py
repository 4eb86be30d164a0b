"""eval_tool, the evaluation's C++ functions, for tests that compare them with other libraries."""
import json
import os
import subprocess
import tempfile

from safetensors.numpy import load_file, save_file

TOOL = os.environ["ORRERY_EVAL_TOOL"]


def run(command, tensors=None, **options):
    """(values, tensors) of a command on named NumPy arrays. A refusal raises ValueError with its message."""
    with tempfile.TemporaryDirectory() as folder:
        source, result = os.path.join(folder, "in.safetensors"), os.path.join(folder, "out.safetensors")
        if tensors:
            save_file(tensors, source)
        done = subprocess.run([TOOL, command, json.dumps(options), source if tensors else "-", result], capture_output=True, text=True)
        if done.returncode == 2:
            raise ValueError(done.stderr.strip())
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), load_file(result)
