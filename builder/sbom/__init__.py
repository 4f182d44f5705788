"""The account of what is in an image, as a CycloneDX 1.6 SBOM.

account = take_account(contents, trees, installed_packages(trees), plan)    # who brought which file
text = compose_sbom(subject, account, model, model_image, tools)        # <label>.cdx.json
licences = list_licences(read_sbom(path))                               # what it says about licences
"""

from builder.sbom.account import Account, Contents, take_account
from builder.sbom.document import SUFFIX, Subject, compose_sbom
from builder.sbom.formulation import Tools
from builder.sbom.initrd import initrd_files
from builder.sbom.reading import LicenceUse, list_licences, read_sbom

__all__ = [
    "SUFFIX",
    "Account",
    "Contents",
    "LicenceUse",
    "Subject",
    "Tools",
    "compose_sbom",
    "initrd_files",
    "list_licences",
    "read_sbom",
    "take_account",
]
