"""What the commands share: their options, printed output and exit codes.

The commands `demo`, `bench`, `doctor` and `migrate` import this room; it imports nothing of the
package.
"""
