"""The one place with input and output: tables, sessions, and one module per aggregate.

Functions take a `Session` and never commit; the outermost caller does (`sessions.begin()`). Rows never leave this
package: what comes out are the domain's values.
"""
