"""The journal of a run: its lines, the index over them, and several journals made one."""
