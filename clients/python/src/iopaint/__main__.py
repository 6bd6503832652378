import sys

from iopaint.command.main import main

sys.exit(main())
