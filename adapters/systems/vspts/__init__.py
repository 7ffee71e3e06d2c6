"""VSPTS-Net: security vetting of applications for visas."""
