"""The bundled sample: web pages written for this project, and the WARC file built from them."""
