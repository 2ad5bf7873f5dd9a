"""Where journals are kept. The only package that imports a data base's client."""
