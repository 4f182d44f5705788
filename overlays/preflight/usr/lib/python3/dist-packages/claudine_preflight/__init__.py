"""The check of a machine, before Claudine lives on it: what is there, and what will not work.

It starts from a boot entry of its own, as root and without a network, and changes nothing but one file on the EFI
system partition: the report. Modules, in the order in which one uses the next: sysfs (values of the kernel's);
firmware, tpm, processor, disks, cards, compute, devices (one part of the machine each); machine (all of them);
findings (what is wrong); voice (sentences); esp (where the report is left); dialog (the screens and the keys).
"""
