// The assembly that mmf-dotnet puts in the place of .NET's: by name, key and members the same.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace Mmf.Tests;

public class FacadeTests
{
    private static readonly string Facade =
        Path.Combine(AppContext.BaseDirectory, "facade", "System.IO.MemoryMappedFiles.dll");
    private static readonly string Original = typeof(System.IO.MemoryMappedFiles.MemoryMappedFile).Assembly.Location;

    // Every public type and member, as C# has it.
    private static SortedSet<string> MembersOf(string path)
    {
        MetadataReference[] framework = Directory
            .GetFiles(Path.GetDirectoryName(Original)!, "System.*.dll")
            .Where(file => file != Original)
            .Select(file => (MetadataReference)MetadataReference.CreateFromFile(file))
            .ToArray();
        MetadataReference reference = MetadataReference.CreateFromFile(path);
        var compilation = CSharpCompilation.Create("Test", references: [reference, .. framework]);
        var assembly = (IAssemblySymbol)compilation.GetAssemblyOrModuleSymbol(reference)!;
        var members = new SortedSet<string>(StringComparer.Ordinal);

        foreach (INamedTypeSymbol type in Types(assembly.GlobalNamespace))
        {
            members.Add($"{type.TypeKind} {type.ToDisplayString()} : {type.BaseType?.ToDisplayString()} " +
                        $"{(type.IsSealed ? "sealed" : "")} {(type.IsAbstract ? "abstract" : "")}");
            foreach (ISymbol member in type.GetMembers().Where(IsSeen))
                members.Add($"{member.DeclaredAccessibility} {(member.IsStatic ? "static" : "")} {Show(member)}");
        }
        return members;
    }

    private static IEnumerable<INamedTypeSymbol> Types(INamespaceSymbol space) =>
        space.GetTypeMembers().Where(type => type.DeclaredAccessibility == Accessibility.Public)
            .Concat(space.GetNamespaceMembers().SelectMany(Types));

    private static bool IsSeen(ISymbol member) =>
        member.DeclaredAccessibility is Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal;

    private static string Show(ISymbol member) => member switch
    {
        IFieldSymbol { HasConstantValue: true } field => $"{field.ToDisplayString()} = {field.ConstantValue}",
        IMethodSymbol method => $"{method.ReturnType.ToDisplayString(NullableFlowState.None)} {method.ToDisplayString()}(" +
            string.Join(", ", method.Parameters.Select(one => $"{one.Type.ToDisplayString(NullableFlowState.None)} {one.Name}")) + ")",
        _ => member.ToDisplayString(),
    };

    [Fact]
    public void Has_the_originals_members_and_no_others() =>
        Assert.Equal(MembersOf(Original), MembersOf(Facade));

    [Fact]
    public void Has_the_originals_name_and_key_and_a_higher_version()
    {
        AssemblyName original = AssemblyName.GetAssemblyName(Original);
        AssemblyName facade = AssemblyName.GetAssemblyName(Facade);

        Assert.Equal(original.Name, facade.Name);
        Assert.Equal(original.GetPublicKeyToken(), facade.GetPublicKeyToken());
        Assert.True(facade.Version > original.Version);
    }
}
