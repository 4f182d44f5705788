"""A virtual machine that boots an image: firmware with Secure Boot, a TPM, and a root shell for tests.

with Machine(open_toolchain(), open_disk_image(path), directory) as machine:
    machine.wait_for_boot()
    machine.succeed("systemctl --failed")
    machine.screenshot(Path("screen.png"))
"""
