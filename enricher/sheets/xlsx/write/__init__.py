"""The second pass: where new columns go, the bytes spliced in, the check afterwards; and new workbooks."""
