"""ClaudineOS builder: from one YAML profile to a signed, tested disk image.

The data flows one way, and every stage hands on a frozen value:

    profile.yaml -> Profile -> RenderPlan -> mkosi tree -> Artifacts -> machine
"""
