"""The data dictionary: what every published table and column means, written from the schemas."""
