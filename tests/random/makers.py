"""The list of makers: functions that add a node or a few to a network, or nothing.

    @maker(3)
    def NAME(net): ...          three times as often as one of weight 1
"""
MAKERS = []  # pairs of weight and function


def maker(weight):
    def add(f):
        MAKERS.append((weight, f))
        return f
    return add
