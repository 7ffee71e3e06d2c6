"""ESTA, CBP's authorisations to travel under the Visa Waiver Program. README.md is its interface."""
