"""The project: settings and composition on top, the shared floor (lib, outbox, runtime, embedded) underneath."""
