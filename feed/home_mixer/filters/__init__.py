"""What may not be on the page. Each filter answers with a mask: True stays."""
