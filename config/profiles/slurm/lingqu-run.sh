#!/bin/bash
# A whole run in one job of several nodes, for sites that want no process on the login node:
#   sbatch config/profiles/slurm/lingqu-run.sh
# It ends with the walltime; given again, it goes on where it was.
#SBATCH --job-name=lingqu
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --mem=0
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --output=lingqu-%j.log

export LINGQU_POOL=allocation  # workers are steps of this job, on each of its nodes
exec lingqu run germline --profile slurm
