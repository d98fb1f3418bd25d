"""What a cell is: places, texts, numbers, styles, and values as XML. Knows no file."""
