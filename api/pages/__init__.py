"""HTML pages for members and customers. A page reads; nothing on a page computes."""
