"""The bytes of a page to text. In go a payload and the charset that its HTTP header declares; out
come the text, the charset that it was read in and the step that decided, or, before anything is
decoded, the proof that too little Chinese can result. May import base.
"""
