"""Work that follows a request: the queue, its tasks, and the worker that runs them."""
