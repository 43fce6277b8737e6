"""What the worker does for the service as a whole."""

from kit.objects.sweeping import sweeping

tasks = sweeping("academy")
