"""The Bot API methods: one function per method, registered by name."""
