// Reading and writing values of each type that an accessor has.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Mmf.Actor;

internal static class Values
{
    private static readonly CultureInfo invariant = CultureInfo.InvariantCulture;

    /// <summary>read, write, read_array, write_array: ACCESSOR TYPE POSITION ...</summary>
    internal static string Call(string verb, MemoryMappedViewAccessor view, string[] arguments,
                                Dictionary<string, string> outputs)
    {
        long position = arguments[2].StartsWith("end", StringComparison.Ordinal)
            ? view.Capacity + (arguments[2].Length > 3 ? long.Parse(arguments[2][3..], invariant) : 0)
            : long.Parse(arguments[2], invariant);
        string rest = arguments.Length > 3 ? Program.Decode(arguments[3]) ?? "" : "";

        switch (arguments[1])
        {
            case "boolean":
                return Call(view.ReadBoolean, view.Write, text => text != "0", value => value ? "1" : "0");
            case "byte":
                return Call(view.ReadByte, view.Write, text => byte.Parse(text, invariant), Print);
            case "sbyte":
                return Call(view.ReadSByte, view.Write, text => sbyte.Parse(text, invariant), Print);
            case "char":
                return Call(view.ReadChar, view.Write, text => (char)ushort.Parse(text, invariant),
                            value => Print((ushort)value));
            case "int16":
                return Call(view.ReadInt16, view.Write, text => short.Parse(text, invariant), Print);
            case "uint16":
                return Call(view.ReadUInt16, view.Write, text => ushort.Parse(text, invariant), Print);
            case "int32":
                return Call(view.ReadInt32, view.Write, text => int.Parse(text, invariant), Print);
            case "uint32":
                return Call(view.ReadUInt32, view.Write, text => uint.Parse(text, invariant), Print);
            case "int64":
                return Call(view.ReadInt64, view.Write, text => long.Parse(text, invariant), Print);
            case "uint64":
                return Call(view.ReadUInt64, view.Write, text => ulong.Parse(text, invariant), Print);
            case "single":
                return Call(view.ReadSingle, view.Write, text => (float)Real(text), Print);
            case "double":
                return Call(view.ReadDouble, view.Write, Real, Print);
            case "decimal":
                return Call(view.ReadDecimal, view.Write, ParseDecimal, PrintDecimal);
            default:
                throw new NotImplementedException(arguments[1]);
        }

        string Call<T>(Func<long, T> read, Action<long, T> write, Func<string, T> parse, Func<T, string> print)
            where T : struct
        {
            switch (verb)
            {
                case "read":
                    outputs["value"] = print(read(position));
                    return "MMF_OK";
                case "write":
                    write(position, parse(rest));
                    return "MMF_OK";
                case "read_array":
                    var array = new T[int.Parse(rest, invariant)];
                    int count = view.ReadArray(position, array, 0, array.Length);
                    outputs["read"] = count.ToString(invariant);
                    outputs["value"] = Program.Encode(string.Join(',', array.Take(count).Select(print)));
                    return "MMF_OK";
                default:
                    T[] values = rest.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(parse).ToArray();
                    view.WriteArray(position, values, 0, values.Length);
                    return "MMF_OK";
            }
        }
    }

    private static double Real(string text) => text switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        _ => double.Parse(text, invariant), // no NaN, which would not keep its bits
    };

    // LOW, or LOW:MIDDLE:HIGH:FLAGS; not each number has a decimal.
    private static decimal ParseDecimal(string text)
    {
        int[] parts = text.Split(':').Select(part => int.Parse(part, invariant)).ToArray();

        return parts.Length == 1 ? new decimal(parts[0], 0, 0, false, 0)
            : (parts[3] & 0x7F00FFFF) == 0 ? new decimal(parts)
            : throw new NotImplementedException(text);
    }

    private static string PrintDecimal(decimal value)
    {
        int[] parts = decimal.GetBits(value);

        return parts[1..].All(part => part == 0) ? Print(parts[0]) : string.Join(':', parts.Select(Print));
    }

    private static string Print<T>(T value) where T : IFormattable => value switch
    {
        // As C prints them with %.9g and %.17g.
        float single when float.IsNaN(single) => $"nan:{BitConverter.SingleToInt32Bits(single):x8}",
        double real when double.IsNaN(real) => $"nan:{BitConverter.DoubleToInt64Bits(real):x16}",
        float.PositiveInfinity or double.PositiveInfinity => "inf",
        float.NegativeInfinity or double.NegativeInfinity => "-inf",
        float single => single.ToString("G9", invariant).ToLowerInvariant(),
        double real => real.ToString("G17", invariant).ToLowerInvariant(),
        _ => value.ToString(null, invariant),
    };
}
