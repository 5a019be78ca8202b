"""What the exporter writes, judged by parsers that others have written."""
