// Source of the precompiled header that the other libraries reuse.
