"""What stands between a user's files and Snakemake: validation, the launcher, the lease."""
