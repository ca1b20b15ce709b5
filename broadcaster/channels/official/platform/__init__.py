"""A stand-in of the platform, for one account: tokens, drafts, mass sends, publications, and the events that follow."""
