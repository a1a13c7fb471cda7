// The public members are .NET's: same names, same parameters, same kinds of types.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Threading;
using Xunit;
using SystemMaps = System.IO.MemoryMappedFiles;

namespace Mmf.Tests;

public class ApiTests
{
    public static TheoryData<Type, Type> Pairs => new()
    {
        { typeof(SystemMaps.MemoryMappedFile), typeof(MemoryMappedFile) },
        { typeof(SystemMaps.MemoryMappedViewAccessor), typeof(MemoryMappedViewAccessor) },
        { typeof(SystemMaps.MemoryMappedViewStream), typeof(MemoryMappedViewStream) },
        { typeof(Microsoft.Win32.SafeHandles.SafeMemoryMappedFileHandle), typeof(SafeMemoryMappedFileHandle) },
        { typeof(Microsoft.Win32.SafeHandles.SafeMemoryMappedViewHandle), typeof(SafeMemoryMappedViewHandle) },
        { typeof(System.Threading.WaitHandle), typeof(WaitHandle) },
        { typeof(System.Threading.Mutex), typeof(Mutex) },
        { typeof(System.Threading.EventWaitHandle), typeof(EventWaitHandle) },
        { typeof(System.Threading.AutoResetEvent), typeof(AutoResetEvent) },
        { typeof(System.Threading.ManualResetEvent), typeof(ManualResetEvent) },
        { typeof(System.Threading.Semaphore), typeof(Semaphore) },
        { typeof(System.Threading.AbandonedMutexException), typeof(AbandonedMutexException) },
        { typeof(SystemMaps.MemoryMappedFileAccess), typeof(MemoryMappedFileAccess) },
        { typeof(SystemMaps.MemoryMappedFileOptions), typeof(MemoryMappedFileOptions) },
        { typeof(SystemMaps.MemoryMappedFileRights), typeof(MemoryMappedFileRights) },
    };

    // What is not there, and why (docs/csharp.md, "What is different").
    private static readonly HashSet<string> Missing =
    [
        "IntPtr Handle", // obsolete for twenty years; a number of libmmf's is of no use
        // An adopted operating system handle cannot become one of mmf's.
        "Void set_SafeWaitHandle(SafeWaitHandle value)",
        "Void set_Handle(IntPtr value)",
        "IntPtr get_Handle()",
        // Obsolete serialisation.
        "Void GetObjectData(SerializationInfo info, StreamingContext context)",
        ".ctor(SerializationInfo info, StreamingContext context)",
        // No class outside derives from it: every kind of handle is known to the library.
        ".ctor()",
    ];

    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    private static bool IsSeen(MethodBase method) => method.IsPublic || method.IsFamily;

    private static string Name(Type type)
    {
        if (type.IsByRef)
            return Name(type.GetElementType()!) + "&";
        if (type.IsArray)
            return Name(type.GetElementType()!) + "[]";
        return type.Name;
    }

    private static string Parameters(MethodBase method) =>
        "(" + string.Join(", ", method.GetParameters().Select(p => $"{Name(p.ParameterType)} {p.Name}")) + ")";

    private static HashSet<string> MembersOf(Type type)
    {
        var members = new HashSet<string>();

        foreach (MethodInfo method in type.GetMethods(All).Where(IsSeen))
            members.Add($"{Name(method.ReturnType)} {method.Name}{Parameters(method)}");
        foreach (ConstructorInfo constructor in type.GetConstructors(All).Where(IsSeen))
            members.Add($".ctor{Parameters(constructor)}");
        foreach (FieldInfo field in type.GetFields(All).Where(field => field.IsPublic || field.IsFamily))
            members.Add($"{Name(field.FieldType)} {field.Name} = {(field.IsLiteral ? field.GetRawConstantValue() : "")}");
        return members;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Has_every_member_of_dotnets(Type dotnets, Type ours)
    {
        HashSet<string> have = MembersOf(ours);
        // A constructor that .NET's base class has for derived classes.
        string[] missing = MembersOf(dotnets)
            .Where(member => !have.Contains(member) && !Missing.Contains(member))
            .ToArray();

        Assert.Empty(missing);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Is_derived_as_dotnets(Type dotnets, Type ours)
    {
        Assert.Equal(dotnets.IsSealed, ours.IsSealed);
        Assert.Equal(dotnets.IsAbstract, ours.IsAbstract);
        if (ours == typeof(AbandonedMutexException))
            Assert.Equal(dotnets, ours.BaseType); // so that either can be caught
        else
            Assert.Equal(dotnets.BaseType!.Name, ours.BaseType!.Name);
        Assert.Equal(dotnets.GetInterfaces().Select(i => i.Name).Order(),
                     ours.GetInterfaces().Select(i => i.Name).Order());
    }

    [Fact]
    public void The_package_aliases_every_type()
    {
        string props = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Mmf.props"));
        foreach (Type type in typeof(MemoryMappedFile).Assembly.GetExportedTypes())
        {
            if (type.Namespace == "Mmf" && !type.IsNested)
                Assert.Contains($"Include=\"{type.FullName}\" Alias=\"{type.Name}\"", props, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Rights_and_flags_have_dotnets_numbers()
    {
        foreach (Type type in new[] { typeof(MemoryMappedFileAccess), typeof(MemoryMappedFileOptions),
                                      typeof(MemoryMappedFileRights) })
        {
            Type dotnets = typeof(SystemMaps.MemoryMappedFile).Assembly.GetType(
                "System.IO.MemoryMappedFiles." + type.Name)!;
            Assert.Equal(Enum.GetNames(dotnets).Order(), Enum.GetNames(type).Order());
            foreach (string name in Enum.GetNames(type))
                Assert.Equal((int)Enum.Parse(dotnets, name), (int)Enum.Parse(type, name));
        }
    }

    [Fact]
    public void Nothing_else_is_visible()
    {
        // What is not .NET's has namespaces of its own: `using` them does not make Mutex ambiguous.
        Assert.All(typeof(MemoryMappedFile).Assembly.GetExportedTypes(),
                   type => Assert.Contains(type.Namespace, new[] { "Mmf", "Mmf.Channels", "Mmf.Diagnostics" }));
        Assert.Equal(typeof(NamedWaitHandleOptions).Assembly, typeof(object).Assembly);
    }
}
