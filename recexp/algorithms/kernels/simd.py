"""Sixteen float32 numbers at once, for loops over short rows, of which the compiler makes half as much.

For kernels only: `load(array, at)` reads array[at:at + 16], `store(array, at, values)` writes it, `spread(number)`
repeats a number, `add_product(a, b, c)` is a * b + c, `total(values)` the sum. Arrays are 1-d and contiguous, and
nothing checks that they are long enough. Where registers are shorter, several are used.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

WIDTH = 16
FLOAT, VECTOR = ir.FloatType(), ir.VectorType(ir.FloatType(), WIDTH)


class Lanes(types.Type):
    """The type of sixteen numbers within a kernel."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, VECTOR)


def _address(context, builder, kind, array, at):
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), VECTOR.as_pointer())


@intrinsic
def load(typing, array, at):
    def code(context, builder, signature, arguments):
        return builder.load(_address(context, builder, signature.args[0], *arguments), align=4)

    return lanes(array, types.intp), code


@intrinsic
def store(typing, array, at, values):
    def code(context, builder, signature, arguments):
        builder.store(arguments[2], _address(context, builder, signature.args[0], *arguments[:2]), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), code


@intrinsic
def spread(typing, number):
    def code(context, builder, signature, arguments):
        nothing, first = ir.Constant(VECTOR, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), None)
        one = builder.insert_element(nothing, arguments[0], ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(one, nothing, first)

    return lanes(types.float32), code


@intrinsic
def add_product(typing, a, b, c):
    def code(context, builder, signature, arguments):
        product = builder.fmul(*arguments[:2], flags=("contract",))
        return builder.fadd(product, arguments[2], flags=("contract",))

    return lanes(lanes, lanes, lanes), code


@intrinsic
def total(typing, values):
    def code(context, builder, signature, arguments):
        kind = ir.FunctionType(FLOAT, [FLOAT, VECTOR])
        sum_up = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.fadd.v{WIDTH}f32")
        return builder.call(sum_up, [ir.Constant(FLOAT, 0.0), arguments[0]], fastmath=("reassoc",))

    return types.float32(lanes), code
