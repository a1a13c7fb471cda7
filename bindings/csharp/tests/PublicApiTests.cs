// The public API of the assembly, a member a line, as PublicApi.txt has it: what changes there changes for
// all who use the package. It is the baseline; that both frameworks have one API is checked when packing.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using Xunit;

namespace Mmf.Tests;

public class PublicApiTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance |
                                          BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext nullability = new();

    [Fact]
    public void Is_as_it_is_written_down()
    {
        string[] wanted = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "PublicApi.txt"));
        string[] found = typeof(MemoryMappedFile).Assembly.GetExportedTypes().SelectMany(Lines)
            .Order(StringComparer.Ordinal).ToArray();
        string[] gone = wanted.Except(found).ToArray(), added = found.Except(wanted).ToArray();

        if (gone.Length == 0 && added.Length == 0)
            return;
        string path = Path.Combine(AppContext.BaseDirectory, "PublicApi.found.txt");
        File.WriteAllLines(path, found);
        Assert.Fail($"the API is not what tests/PublicApi.txt says. If that is meant, copy {path} there.\n" +
                    string.Concat(gone.Select(line => $"- {line}\n")) +
                    string.Concat(added.Select(line => $"+ {line}\n")));
    }

    private static IEnumerable<string> Lines(Type type)
    {
        string name = Name(type);
        string modifiers = type.IsEnum ? "enum" : type.IsByRefLike ? "ref struct" : type.IsValueType ? "struct"
            : type.IsInterface ? "interface" : type is { IsAbstract: true, IsSealed: true } ? "static class"
            : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";
        string bases = string.Join(", ", new[] { type.BaseType }.Concat(type.GetInterfaces()).OfType<Type>()
            .Where(one => one != typeof(object) && one != typeof(ValueType) && one != typeof(Enum)).Select(Name)
            .Order(StringComparer.Ordinal));

        yield return $"{name}: {modifiers} {bases}".TrimEnd();
        foreach (FieldInfo field in type.GetFields(Declared).Where(field => field.IsPublic || field.IsFamily))
            yield return $"{name}.{field.Name}: {Name(field.FieldType)}" +
                         (field.IsLiteral ? $" = {Convert.ToInt64(field.GetRawConstantValue())}" : "");
        foreach (ConstructorInfo made in type.GetConstructors(Declared).Where(IsSeen))
            yield return $"{name}.new({Parameters(made)})";
        foreach (MethodInfo method in type.GetMethods(Declared).Where(IsSeen))
            yield return $"{name}.{method.Name}{Arguments(method)}({Parameters(method)}): {Name(method.ReturnType)}" +
                         Nullable(method.ReturnParameter) + (method.IsStatic ? " static" : "") + (method.IsFamily ? " protected" : "") +
                         (IsInit(method) ? " init" : "") +
                         (method is { IsVirtual: true, IsFinal: false } ? " virtual" : "");
    }

    private static bool IsSeen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Arguments(MethodInfo method) => !method.IsGenericMethod ? "" : "<" + string.Join(
        ", ", method.GetGenericArguments().Select(one => one.Name + (
            one.GenericParameterAttributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint)
                ? ": struct" : ""))) + ">";

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(
        one => (one.IsOut ? "out " : one.IsIn ? "in " : one.ParameterType.IsByRef ? "ref " : "") +
               $"{Name(one.ParameterType).TrimEnd('&')}{Nullable(one)} {one.Name}{Default(one)}"));

    private static string Default(ParameterInfo one) => !one.HasDefaultValue ? "" : " = " +
        (Convert.ToString(one.RawDefaultValue, CultureInfo.InvariantCulture) is { Length: > 0 } value ? value : "default");

    private static bool IsInit(MethodInfo method) =>
        method.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));

    // Of a reference that may be null; a value says it by its type.
    private static string Nullable(ParameterInfo one)
    {
        Type type = one.ParameterType.IsByRef ? one.ParameterType.GetElementType()! : one.ParameterType;
        return !type.IsValueType && nullability.Create(one).ReadState == NullabilityState.Nullable ? "?" : "";
    }

    private static string Name(Type type)
    {
        if (type.HasElementType)
            return Name(type.GetElementType()!) + (type.IsArray ? "[]" : type.IsByRef ? "&" : "*");
        if (!type.IsGenericType)
            return type.Namespace!.StartsWith("Mmf.", StringComparison.Ordinal) ? $"{type.Namespace[4..]}.{type.Name}" : type.Name;
        return $"{type.Name[..type.Name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
