"""Files of any format as rows of texts, read within bounds."""
