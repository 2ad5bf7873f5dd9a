"""HTTP mechanics shared by every exchange: routing, parameters, sandboxes, documents. No dialect."""
