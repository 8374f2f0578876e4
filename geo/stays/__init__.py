"""Stay points: where riders stood, of which kind each stay is, and when breaks fell due."""
