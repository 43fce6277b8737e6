"""What teachers find out, and the evidence for it: projects, baselines, evaluations and claims."""
