"""Lives: random lives of announcements, played on the product and judged by a model that knows nothing of its code."""
