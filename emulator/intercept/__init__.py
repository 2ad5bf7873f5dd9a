"""Being the real hosts: a local certificate authority, and the gate that programs come through which
nobody told of the emulator.
"""
