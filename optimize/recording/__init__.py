"""Every call of a compilation is recorded, and answered from the record when it is made again."""
