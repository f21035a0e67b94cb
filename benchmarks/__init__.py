"""Measurements, side by side with what people would use instead; none of them is a test."""
