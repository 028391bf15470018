"""What the agent promises of pages, each as a test of a stage and a tab: `agent.py` runs them."""
