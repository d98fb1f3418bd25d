"""The first pass: the rows of a part, by the quick way or the careful one, as previews, batches and grids."""
