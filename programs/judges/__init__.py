"""What judges are worth: their agreement, their bias on what people judged, and the review by people."""
