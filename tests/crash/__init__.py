"""The program killed, stopped and failed at every turn, as a process on real files: nothing paid is lost."""
