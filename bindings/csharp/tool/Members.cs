using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Mmf.Dotnet;

/// <summary>
/// Trimming takes out of a self-contained framework what its application does not use. What our
/// assembly uses must still be there.
/// </summary>
internal static class Members
{
    /// <summary>The first type or member that the assembly refers to and no assembly of the folder has.</summary>
    internal static string? FindMissing(string assembly, string directory)
    {
        var known = new HashSet<string>();

        foreach (string path in Directory.GetFiles(directory, "System.*.dll").Append(assembly))
            AddDefinitions(path, known);
        using var file = new PEReader(File.OpenRead(assembly));
        MetadataReader reader = file.GetMetadataReader();
        return reader.MemberReferences
            .Select(handle => NameOf(reader, reader.GetMemberReference(handle)))
            .Concat(reader.TypeReferences.Select(handle => NameOf(reader, handle)))
            .FirstOrDefault(name => name != null && !known.Contains(name));
    }

    private static void AddDefinitions(string path, HashSet<string> known)
    {
        using var file = new PEReader(File.OpenRead(path));

        if (!file.HasMetadata)
            return;
        MetadataReader reader = file.GetMetadataReader();
        foreach (TypeDefinitionHandle handle in reader.TypeDefinitions)
        {
            TypeDefinition type = reader.GetTypeDefinition(handle);
            string name = NameOf(reader, handle);
            known.Add(name);
            foreach (MethodDefinitionHandle method in type.GetMethods())
                known.Add(name + "." + reader.GetString(reader.GetMethodDefinition(method).Name));
            foreach (FieldDefinitionHandle field in type.GetFields())
                known.Add(name + "." + reader.GetString(reader.GetFieldDefinition(field).Name));
        }
    }

    private static string NameOf(MetadataReader reader, TypeDefinitionHandle handle)
    {
        TypeDefinition type = reader.GetTypeDefinition(handle);
        TypeDefinitionHandle outer = type.GetDeclaringType();

        return outer.IsNil ? $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}"
                           : $"{NameOf(reader, outer)}/{reader.GetString(type.Name)}";
    }

    private static string NameOf(MetadataReader reader, TypeReferenceHandle handle)
    {
        TypeReference type = reader.GetTypeReference(handle);

        return type.ResolutionScope.Kind == HandleKind.TypeReference
            ? $"{NameOf(reader, (TypeReferenceHandle)type.ResolutionScope)}/{reader.GetString(type.Name)}"
            : $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}";
    }

    // Of a generic type's member nothing but the type is looked at, which is among the types.
    private static string? NameOf(MetadataReader reader, MemberReference member) =>
        member.Parent.Kind == HandleKind.TypeReference
            ? $"{NameOf(reader, (TypeReferenceHandle)member.Parent)}.{reader.GetString(member.Name)}"
            : null;
}
