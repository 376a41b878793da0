"""The rows an experiment file names: its inputs and the answers already recorded, joined and checked before any is written."""
