"""The operator's command: starts, migrates, inspects and stops the whole of Trellis on one machine."""
