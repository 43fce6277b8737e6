"""What others are told: boards, reports, exports and webhooks."""
