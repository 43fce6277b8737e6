"""What every resource shares: pages, cursors, entity tags, merge patches."""
